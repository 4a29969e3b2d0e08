"""Emoji by their Slack short names: the few dozen that incident talk needs, and what an unknown one looks like."""

from __future__ import annotations

import re
from typing import Final

from markupsafe import Markup

from bot.sandbox.slack.render.html import el, join, lines

_LISTED: Final = """
+1=👍 thumbsup=👍 -1=👎 thumbsdown=👎 white_check_mark=✅ heavy_check_mark=✔️
ballot_box_with_check=☑️ x=❌ no_entry=⛔ no_entry_sign=🚫 warning=⚠️ rotating_light=🚨 fire=🔥
fire_engine=🚒 boom=💥 bug=🐛 ambulance=🚑 sos=🆘 bell=🔔 no_bell=🔕 mega=📣 loudspeaker=📢
speech_balloon=💬 eyes=👀 mag=🔍 mag_right=🔎 microscope=🔬 wrench=🔧 hammer=🔨
hammer_and_wrench=🛠️ gear=⚙️ lock=🔒 unlock=🔓 key=🔑 shield=🛡️ hourglass=⌛
hourglass_flowing_sand=⏳ stopwatch=⏱️ alarm_clock=⏰ clock1=🕐 timer_clock=⏲️ calendar=📆
date=📅 spiral_calendar_pad=🗓️ memo=📝 clipboard=📋 page_facing_up=📄 notebook=📓 book=📖
books=📚 bookmark=🔖 pushpin=📌 round_pushpin=📍 paperclip=📎 link=🔗 card_file_box=🗃️ package=📦
file_folder=📁 chart_with_upwards_trend=📈 chart_with_downwards_trend=📉 bar_chart=📊
moneybag=💰 dollar=💵 credit_card=💳 receipt=🧾 tada=🎉 sparkles=✨ star=⭐ trophy=🏆 medal=🏅
rocket=🚀 zap=⚡ bulb=💡 question=❓ grey_question=❔ exclamation=❗ information_source=ℹ️
heavy_plus_sign=➕ heavy_minus_sign=➖ arrow_right=➡️ arrow_left=⬅️ arrow_up=⬆️
arrow_down=⬇️ arrows_counterclockwise=🔄 repeat=🔁 rewind=⏪ fast_forward=⏩ arrow_forward=▶️
leftwards_arrow_with_hook=↩️ black_square_for_stop=⏹️ double_vertical_bar=⏸️
octagonal_sign=🛑 construction=🚧 red_circle=🔴 large_orange_circle=🟠 large_yellow_circle=🟡
large_green_circle=🟢 large_blue_circle=🔵 white_circle=⚪ black_circle=⚫
small_red_triangle=🔺 large_red_square=🟥 large_green_square=🟩 white_square=◻️ robot_face=🤖
wave=👋 pray=🙏 clap=👏 raised_hands=🙌 muscle=💪 ok_hand=👌 point_right=👉 smile=😄
slightly_smiling_face=🙂 thinking_face=🤔 sweat_smile=😅 cry=😢 scream=😱 sleeping=😴 zzz=💤
heart=❤️ broken_heart=💔 100=💯 coffee=☕ computer=💻 desktop_computer=🖥️ iphone=📱 phone=☎️
telephone_receiver=📞 pager=📟 email=📧 envelope=✉️ inbox_tray=📥 outbox_tray=📤
satellite_antenna=📡 globe_with_meridians=🌐 cloud=☁️ snowflake=❄️ bust_in_silhouette=👤
busts_in_silhouette=👥 wastebasket=🗑️ scroll=📜 test_tube=🧪 dart=🎯
"""
EMOJI: Final = dict(pair.split("=", 1) for pair in _LISTED.split())
_SKIN_TONE: Final = re.compile(r"::skin-tone-[2-6]$")


def known(name: str) -> bool:
    """Whether the short name is one of ours, with or without a skin tone."""
    return _SKIN_TONE.sub("", name) in EMOJI


def emoji(name: str) -> Markup:
    """The emoji with its name for screen readers; an unknown one stays visible as `:name:`."""
    found = EMOJI.get(_SKIN_TONE.sub("", name))
    if found is None:
        return el("span", {"class": "emoji-unknown"}, f":{name}:")
    return el(
        "span", {"class": "emoji", "role": "img", "aria-label": name.replace("_", " "), "title": f":{name}:"}, found
    )


_SHORTCODE: Final = re.compile(r":([a-z0-9_+'-]+(?:::skin-tone-[2-6])?):")


def with_emoji(text: str) -> Markup:
    """Plain text with its line breaks kept and its known short codes turned into emoji."""
    parts = _SHORTCODE.split(text)
    return join(_part(part, index % 2 == 1) for index, part in enumerate(parts))


def _part(part: str, code: bool) -> Markup:
    if code:
        return emoji(part) if known(part) else lines(f":{part}:")
    return lines(part)
