-- set_data: what belongs to a resource from now on.
-- keys: pool traits journal units
-- args: resource bytes("": nothing)
-- returns: 1; 0 for a stranger
-- include: pool/trait.lua
key.traits, key.journal, key.units = KEYS[2], KEYS[3], KEYS[4]

if redis.call("HEXISTS", slot.open() and key.units or key.pool, ARGV[1]) == 0 then
    return 0
elseif ARGV[2] == "" then
    trait.drop("d", ARGV[1])
else
    trait.set("d", ARGV[1], ARGV[2])
end
return 1
