"""What a customer sees of an invoice in the local Stripe: its page and its PDF."""

from __future__ import annotations

import html

from bot.sandbox.stripe.wire import Json


def invoice_page(invoice: Json) -> str:
    """The hosted invoice page."""
    rows = "".join(f"<p>{html.escape(line)}</p>" for line in _lines(invoice))
    title = html.escape(f"Invoice {invoice['number']}")
    return f"<!doctype html><html lang='en'><title>{title}</title><h1>{title}</h1>{rows}</html>"


def invoice_pdf(invoice: Json) -> bytes:
    """The invoice as a one-page PDF 1.4."""
    lines = [f"Invoice {invoice['number']}", *_lines(invoice)]
    shown = " T* ".join(f"({_escaped(line)}) Tj" for line in lines)
    content = f"BT /F1 14 Tf 60 780 Td 24 TL {shown} ET"
    font = "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"
    pages = "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 5 0 R"
    bodies = (
        "<< /Type /Catalog /Pages 2 0 R >>",
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        f"{pages} /Resources << /Font << /F1 4 0 R >> >> >>",
        font,
        f"<< /Length {len(content)} >>\nstream\n{content}\nendstream",
    )
    out = b"%PDF-1.4\n"
    offsets = []
    for number, body in enumerate(bodies, start=1):
        offsets.append(len(out))
        out += f"{number} 0 obj\n{body}\nendobj\n".encode("latin-1")
    table = "".join(f"{offset:010d} 00000 n \n" for offset in offsets)
    size = len(bodies) + 1
    end = (
        f"xref\n0 {size}\n0000000000 65535 f \n{table}trailer\n<< /Size {size} /Root 1 0 R >>\nstartxref\n{len(out)}\n"
    )
    return out + end.encode("latin-1") + b"%%EOF\n"


def _lines(invoice: Json) -> list[str]:
    currency = str(invoice["currency"]).upper()
    return [
        f"Billed to: {invoice['customer_name'] or invoice['customer']}",
        f"Amount due: {invoice['amount_due'] / 100:,.2f} {currency}",
        f"Status: {invoice['status']}",
    ]


def _escaped(text: str) -> str:
    plain = text.encode("latin-1", "replace").decode("latin-1")
    return plain.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")
