-- binding: soft bindings, a name that prefers the resource it had last time.
-- Two keys may have one: ours (also the Python library's when it allocates), then the one that its
-- update_soft_bind writes. The script sets K_bindings: zset, name -> deadline, for counting.
-- include: pool/key.lua
local K_bindings

local function binding_keys(name)
    local key = base .. "-cache:bind:" .. name
    return key, base .. ":" .. key
end

-- The resource; false when there is none.
local function binding_get(name)
    local found = call("MGET", binding_keys(name))
    return found[1] or found[2]
end

local function binding_set(name, resource, binding_ms)
    local ours, theirs = binding_keys(name)
    if binding_ms > 0 then
        call("SET", ours, resource, "PX", binding_ms)
        try("ZADD", K_bindings, clock() + binding_ms, name)
    else
        call("SET", ours, resource)
        try("ZADD", K_bindings, "+inf", name)
    end
    call("DEL", theirs)
end

-- True when there was one.
local function binding_drop(name)
    try("ZREM", K_bindings, name)
    return call("DEL", binding_keys(name)) > 0
end
