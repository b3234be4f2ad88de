-- line_keys: where the line is, among the keys of every script that knows it (see line).
local key = {
    journal = KEYS[2], waiters = KEYS[3], waiting = KEYS[4], lines = KEYS[5], daemons = KEYS[6],
    wake = string.match(KEYS[1], "^(.*)|lock|fence$") .. "|wake|",
}
