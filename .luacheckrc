-- Lua of Redis 6.2 and 7: 5.1, one text of many files (see src/tools/embed.c). A part's locals are
-- used by the files that include it, so each file by itself has some too many and some unknown.
std = "lua51"
max_line_length = 100
max_comment_line_length = false
ignore = { "211", "221", "231", "241" }
read_globals = {
    "redis", "KEYS", "ARGV",
    -- prelude
    "CHUNK", "now_s", "now_ms", "now_us", "clock", "span", "plain", "shown", "broken", "refusal",
    "is_error", "call_each", "has_option", "options_of",
    -- pool/entry
    "ALLOCATED", "ABSENT", "MALFORMED",
    -- pool/renew, pool/whole, pool/rule
    "renew", "whole_read", "read_rules", "forget_rules",
}
-- Tables of functions and state, each made by the part of its name.
globals = {
    "key", "entry", "prev_of", "next_of", "expiry_of", "list", "index", "note", "binding", "member",
    "grants", "value_of", "malloc", "free", "giveback", "wait", "serve", "waiting", "eta", "fair",
    "rule", "trait", "aside", "apart", "label", "mark", "data", "limit", "probes", "pace",
    "outcome", "scale", "place", "slot", "capacity",
}
-- Locks have words of their own: of lock/hold, shares, compare, members.
files["lua/lock"] = {
    read_globals = {
        "call", "sub", "format", "SHARED", "PERMITS", "NOT_OWNER", "OTHER_TYPE", "last_fence",
        "last_fence_text", "time_ms", "new_fence", "tail_of", "put", "make_shares", "compare", "each_lock",
        "argv", "keys", "known", "is_waited", "values", "stored_fence", "open_journal",
        "read_values", "grant", "value_at", "make_run_other", "finish_batch",
    },
    globals = { "now_of", "doomed", "granted", "line", "at", "k", "reqid", "session", "only_again", "run_other", "replies" },
}
-- Tasks likewise: of task/ready, task/lose, task/kept, task/own, task/idle.
files["lua/task"] = {
    read_globals = {
        "call", "pcall", "format", "tell", "tell_ended", "make_ready", "push_all", "wake", "settle",
        "place_of", "read_task", "unlist", "lose", "untake", "rouse", "note_due", "tell_each",
        "keep_result", "bound_kept", "own_places", "forget_idle",
    },
    globals = { "base", "pushed", "soonest" },
}
