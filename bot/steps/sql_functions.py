"""Which functions a check may call, and which make a value differ from one moment to the next; read by the guard."""

from __future__ import annotations

SAFE = frozenset(
    """
    abs age any_value array_agg array_append array_cat array_dims array_fill array_length array_lower
    array_ndims array_position array_positions array_prepend array_remove array_replace array_to_json
    array_to_string array_upper ascii avg bit_and bit_length bit_or bit_xor bool_and bool_or broadcast btrim
    cardinality cbrt ceil ceiling char_length character_length chr clock_timestamp coalesce col_description
    concat concat_ws convert_from convert_to corr count covar_pop covar_samp cume_dist current_catalog
    current_database current_date current_query current_role current_schema current_schemas current_setting
    current_time current_timestamp current_user date date_bin date_part date_trunc daterange decode degrees
    dense_rank div encode every exp extract family first_value floor format format_type gcd gen_random_uuid
    generate_series generate_subscripts greatest grouping has_any_column_privilege has_column_privilege
    has_database_privilege has_function_privilege has_schema_privilege has_sequence_privilege
    has_table_privilege host inet_client_addr inet_server_addr initcap int4range int8range isfinite json_agg
    json_array json_array_elements json_array_elements_text json_array_length json_arrayagg json_build_array
    json_build_object json_each json_each_text json_exists json_extract_path json_extract_path_text json_object
    json_object_agg json_object_keys json_objectagg json_populate_record json_populate_recordset json_query
    json_scalar json_serialize json_strip_nulls json_table json_to_record json_to_recordset json_typeof
    json_value jsonb_agg jsonb_array_elements jsonb_array_elements_text jsonb_array_length jsonb_build_array
    jsonb_build_object jsonb_each jsonb_each_text jsonb_exists jsonb_extract_path jsonb_extract_path_text
    jsonb_insert jsonb_object jsonb_object_agg jsonb_object_keys jsonb_path_exists jsonb_path_match
    jsonb_path_query jsonb_path_query_array jsonb_path_query_first jsonb_populate_record jsonb_pretty jsonb_set
    jsonb_strip_nulls jsonb_to_record jsonb_to_recordset jsonb_typeof justify_days justify_hours
    justify_interval lag last_value lcm lead least left length ln localtime localtimestamp log log10 lower
    lower_inc lpad ltrim make_date make_interval make_time make_timestamp make_timestamptz masklen max md5 min
    mod mode multirange network normalize now nth_value ntile nullif num_nonnulls num_nulls numrange
    obj_description octet_length overlay percent_rank percentile_cont percentile_disc pg_backend_pid
    pg_blocking_pids pg_client_encoding pg_column_size pg_conf_load_time pg_current_wal_lsn
    pg_current_xact_id_if_assigned pg_database_size pg_describe_object pg_encoding_to_char
    pg_function_is_visible pg_get_constraintdef pg_get_expr pg_get_function_arguments
    pg_get_function_identity_arguments pg_get_function_result pg_get_functiondef pg_get_indexdef
    pg_get_partkeydef pg_get_ruledef pg_get_serial_sequence pg_get_triggerdef pg_get_userbyid pg_get_viewdef
    pg_has_role pg_index_column_has_property pg_indexes_size pg_is_in_recovery pg_is_wal_replay_paused
    pg_last_wal_receive_lsn pg_last_wal_replay_lsn pg_last_xact_replay_timestamp pg_postmaster_start_time
    pg_relation_size pg_safe_snapshot_blocking_pids pg_sequence_last_value pg_size_bytes pg_size_pretty
    pg_stat_get_activity pg_stat_get_dead_tuples pg_stat_get_live_tuples pg_table_is_visible pg_table_size
    pg_tablespace_size pg_total_relation_size pg_type_is_visible pg_typeof pg_wal_lsn_diff phraseto_tsquery pi
    plainto_tsquery position power quote_ident quote_literal quote_nullable radians random range_agg
    range_intersect_agg range_merge rank regexp_count regexp_instr regexp_like regexp_match regexp_matches
    regexp_replace regexp_split_to_array regexp_split_to_table regexp_substr regr_count repeat replace reverse
    right round row row_number row_to_json rpad rtrim scale session_user sha224 sha256 sha384 sha512 show_trgm
    sign similarity split_part sqrt starts_with statement_timestamp stddev stddev_pop stddev_samp
    strict_word_similarity string_agg string_to_array string_to_table strpos substr substring sum tableoid text
    timeofday timezone to_char to_date to_hex to_json to_jsonb to_number to_regclass to_regnamespace to_regproc
    to_regrole to_regtype to_timestamp to_tsquery to_tsvector transaction_timestamp translate trim trim_array
    trim_scale trunc ts_headline ts_rank ts_rank_cd tsrange tstzrange txid_current_if_assigned unicode_version
    unistr unnest upper upper_inc user uuid_extract_timestamp uuid_extract_version uuidv4 uuidv7 var_pop
    var_samp variance version websearch_to_tsquery width_bucket word_similarity xmin
    """.split()  # noqa: SIM905 - a word list reads better as words
)
"""Names of pg_catalog that read and only read (pg_trgm's four among them); everything else is refused."""

NOT_CALLS = frozenset(
    """
    all and any array as asc at between by case cast check collate columns conflict cross cube default desc
    distinct do else end except exists false filter for from full group groups having ilike in inner intersect
    interval into is isnull join key lateral left like limit materialized natural not notnull null nulls of
    offset on only or order ordinality outer over overlaps partition passing path range recursive ref returning
    right rollup rows select set sets similar some symmetric then to true union unique using values when where
    window with within without
    """.split()  # noqa: SIM905 - a word list reads better as words
)
"""Words of the grammar that an opening parenthesis may follow without a call."""

SIZED_TYPES = frozenset(
    """
    bit char character dec decimal float interval nchar numeric precision time timestamp timestamptz timetz
    varbit varchar varying
    """.split()  # noqa: SIM905 - a word list reads better as words
)
"""Types that take their size in parentheses."""

NEVER = frozenset(
    """
    connectby crosstab currval cursor_to_xml database_to_xml lastval lo_close lo_creat lo_create lo_export
    lo_from_bytea lo_get lo_import lo_open lo_put lo_truncate lo_unlink lo_write nextval pg_current_xact_id
    query_to_xml query_to_xml_and_xmlschema schema_to_xml set_config setval table_to_xml ts_stat txid_current
    xpath_table
    """.split()  # noqa: SIM905 - a word list reads better as words
)
NEVER_PREFIXES = tuple(
    """
    dblink loread lowrite pg_advisory pg_backup pg_cancel pg_clear_ pg_create_ pg_drop_ pg_export_snapshot
    pg_file_ pg_import pg_log_backend pg_logical pg_ls_ pg_notify pg_prewarm pg_promote pg_read_ pg_reload
    pg_replication pg_restore_ pg_rotate pg_sleep pg_stat_file pg_stat_force pg_stat_reset
    pg_stat_statements_reset pg_switch pg_terminate pg_try_advisory pg_wal_replay_
    """.split()  # noqa: SIM905 - a word list reads better as words
)
"""Refused wherever the name stands, called or not: the second lock on the same door."""

MOVING = frozenset(
    """
    clock_timestamp current_date current_time current_timestamp gen_random_uuid localtime localtimestamp nextval
    now random statement_timestamp timeofday transaction_timestamp uuid_generate_v1 uuid_generate_v4 uuidv4
    uuidv7
    """.split()  # noqa: SIM905 - a word list reads better as words
)
"""What gives another value at another moment: a column set from one of these is an example in a preview."""


def never(name: str) -> bool:
    """Whether a name is refused wherever it stands."""
    return name in NEVER or name.startswith(NEVER_PREFIXES)
