-- unbind: the name prefers nothing any more.
-- keys: pool bindings
-- args: name
-- returns: 1; 0 when it was not bound
-- include: pool/binding.lua
K_bindings = KEYS[2]

call("HLEN", K_pool)
return binding_drop(ARGV[1]) and 1 or 0
