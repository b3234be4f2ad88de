-- bound: what the name prefers.
-- keys: pool
-- args: name
-- returns: the resource, or nil
-- include: pool/binding.lua

redis.call("HLEN", key.pool)
return binding.get(ARGV[1])
