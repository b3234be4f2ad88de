-- names: one of Redis' commands for looking at the fields of a hash, at the one that has a field for
-- each resource.
-- keys: pool journal units
-- args: command argument...
-- returns: as HKEYS, HLEN, HEXISTS or HSCAN
local has_units = redis.call("HEXISTS", KEYS[2], "units") == 1
return redis.call(ARGV[1], has_units and KEYS[3] or KEYS[1], unpack(ARGV, 2))
