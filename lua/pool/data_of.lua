-- data_of: what belongs to a resource.
-- keys: pool traits journal
-- args: resource
-- returns: bytes; nil when there are none
-- include: pool/trait.lua
key.traits, key.journal = KEYS[2], KEYS[3]

redis.call("HLEN", key.pool)
return trait.of("d", ARGV[1])
