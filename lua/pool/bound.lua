-- bound: what the name prefers.
-- keys: pool
-- args: name
-- returns: the resource, or nil
-- include: pool/binding.lua

call("HLEN", K_pool)
return binding_get(ARGV[1])
