-- data_of: what belongs to a resource.
-- keys: pool traits
-- args: resource
-- returns: bytes; nil when there are none
-- include: pool/trait.lua
key.traits = KEYS[2]

redis.call("HLEN", key.pool)
return trait.of("d", ARGV[1])
