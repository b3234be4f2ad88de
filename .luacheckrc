-- Lua of Redis 6.2 and 7: 5.1, one text of many files (see src/tools/embed.c). A part's locals are
-- used by the files that include it, so each file by itself has some too many and some unknown.
std = "lua51"
max_line_length = 100
max_comment_line_length = false
ignore = { "211", "221", "231", "241" }
read_globals = {
    "redis", "KEYS", "ARGV",
    -- prelude
    "call", "try", "concat", "floor", "ceil", "min", "max", "find", "format", "gsub", "match", "sub",
    "CHUNK", "now_s", "now_ms", "now_us", "clock", "span", "plain", "shown", "refusal", "is_error",
    "call_each",
    -- pool/key
    "K_pool", "base", "UNHEALTHY", "lease_key", "lease_keys", "lease_values", "locked_among",
    "fence_of",
    -- pool/entry
    "ALLOCATED", "ABSENT", "MALFORMED", "entry_keep", "entry_of", "entry_read", "broken", "is_free",
    "expiry_after", "is_past",
    -- pool/list
    "K_head", "K_tail", "stored_head", "stored_tail", "list_start", "list_open", "list_unlink_fault",
    "list_push_fault", "touch", "list_allocate", "list_push", "list_put_allocated",
    "list_set_expiry", "list_remove", "list_write",
    -- pool/note
    "has_note", "note_split", "request_split", "note_forget_all", "note_fault", "note_grants",
    -- pool/lease
    "deadline_of", "index_set", "index_as_it_is", "index_write", "list_take_back", "lease_reclaim",
    -- pool/binding, pool/member, pool/whole
    "binding_get", "binding_set", "binding_drop", "members_add", "members_remove", "whole_read",
    "whole_is_linked",
    -- pool/grant, pool/malloc, pool/free, pool/renew
    "grant", "granted", "journal_write", "malloc", "NOT_OWNER", "lease_token", "free", "renew",
}
globals = {
    -- what a script gives its parts: keys and state
    "K_leases", "K_notes", "K_held", "K_requests", "K_bindings", "K_journal", "is_shared",
    "last_fence", "taken", "head", "tail", "prev_of", "next_of", "expiry_of", "value_of",
}
