-- beat: a member of a group is alive, for a time. The layout is the Python library's: a set of the
-- members, and of each a lock that lives as long as it.
-- keys: set lock
-- args: member timeout_ms("0": for ever)
-- returns: 1 when it was not alive before, else 0
-- include: lock/hold.lua
local was_alive = call("EXISTS", KEYS[2]) == 1
call("SADD", KEYS[1], ARGV[1])
put(KEYS[2], "1", ARGV[2])
return was_alive and 0 or 1
