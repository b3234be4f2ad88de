-- binding: soft bindings, a name that prefers the resource it had last time.
-- Two keys may have one: ours (also the Python library's when it allocates), then the one that its
-- update_soft_bind writes. The script sets key.bindings: zset, name -> deadline, for counting.
-- include: pool/key.lua
local binding = {}

function binding.keys(name)
    local ours = key.base .. "-cache:bind:" .. name
    return ours, key.base .. ":" .. ours
end

-- The resource; false when there is none.
function binding.get(name)
    local found = redis.call("MGET", binding.keys(name))
    return found[1] or found[2]
end

function binding.set(name, resource, binding_ms)
    local ours, theirs = binding.keys(name)
    if binding_ms > 0 then
        redis.call("SET", ours, resource, "PX", binding_ms)
        redis.pcall("ZADD", key.bindings, clock() + binding_ms, name)
    else
        redis.call("SET", ours, resource)
        redis.pcall("ZADD", key.bindings, "+inf", name)
    end
    redis.call("DEL", theirs)
end

-- True when there was one.
function binding.drop(name)
    redis.pcall("ZREM", key.bindings, name)
    return redis.call("DEL", binding.keys(name)) > 0
end
