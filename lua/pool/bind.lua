-- bind: the name prefers this resource from now on.
-- keys: pool bindings
-- args: name resource binding_ms
-- returns: OK
-- include: pool/binding.lua
K_bindings = KEYS[2]

call("HLEN", K_pool)
call("ZCARD", K_bindings)
binding_set(ARGV[1], ARGV[2], span(ARGV[3]))
return redis.status_reply("OK")
