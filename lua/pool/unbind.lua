-- unbind: the name prefers nothing any more.
-- keys: pool bindings
-- args: name
-- returns: 1; 0 when it was not bound
-- include: pool/binding.lua
key.bindings = KEYS[2]

redis.call("HLEN", key.pool)
return binding.drop(ARGV[1]) and 1 or 0
