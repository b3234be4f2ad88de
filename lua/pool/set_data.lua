-- set_data: what belongs to a resource from now on.
-- keys: pool traits
-- args: resource bytes("": nothing)
-- returns: 1; 0 for a stranger
-- include: pool/trait.lua
key.traits = KEYS[2]

if redis.call("HEXISTS", key.pool, ARGV[1]) == 0 then
    return 0
elseif ARGV[2] == "" then
    trait.drop("d", ARGV[1])
else
    trait.set("d", ARGV[1], ARGV[2])
end
return 1
