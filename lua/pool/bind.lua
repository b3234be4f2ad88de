-- bind: the name prefers this resource from now on.
-- keys: pool bindings
-- args: name resource binding_ms
-- returns: OK
-- include: pool/binding.lua
key.bindings = KEYS[2]

redis.call("HLEN", key.pool)
redis.call("ZCARD", key.bindings)
binding.set(ARGV[1], ARGV[2], span(ARGV[3]))
return redis.status_reply("OK")
