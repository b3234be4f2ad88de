-- leave: a member leaves its group.
-- keys: set lock
-- args: member
-- returns: 1; 0 when it was none
-- include: lock/hold.lua
local was_member = call("SREM", KEYS[1], ARGV[1])
return math.max(was_member, call("DEL", KEYS[2]))
