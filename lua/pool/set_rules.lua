-- set_rules: the rules of the pool from now on; whether it is paused stays as it is, unless that is said.
-- keys: pool head tail leases departed journal held notes requests bindings waiters waiting granted daemons aside traits order units
-- args: rules("-": they stay) paused(1|0; "": that stays)
-- returns: 1; 0 when nothing has changed
-- include: pool/capacity.lua
-- include: pool/serve.lua
key.index, key.departed, key.journal = KEYS[4], KEYS[5], KEYS[6]
key.held, key.notes, key.requests, key.bindings = KEYS[7], KEYS[8], KEYS[9], KEYS[10]
key.waiters, key.waiting, key.granted, key.daemons = KEYS[11], KEYS[12], KEYS[13], KEYS[14]
key.aside, key.traits, key.order, key.units = KEYS[15], KEYS[16], KEYS[17], KEYS[18]

local PAUSED, ORDER, FAIR = "paused=1", "order=(%S+)", "fair_age=%S+"

-- Resources that were not told a capacity of their own get that of the pool. Returns a fault, or nil.
local function resize(wanted)
    if wanted > 1 and capacity.start() then
        return nil -- whoever adds one hears why the pool can have no units
    end
    local resources = slot.open() and redis.call("HKEYS", key.units) or {}
    slot.read(resources)
    for _, resource in ipairs(resources) do
        local record = slot.of(resource)
        if record and not record.is_own and record.capacity ~= wanted then
            local name = slot.entries({ resource })[1]
            local fault = prev_of[name] == MALFORMED and broken("the entry makes no sense:", name)
                or capacity.set(resource, wanted, expiry_of[name])
            if fault then
                return fault
            end
        end
    end
    return capacity.finish()
end

local function capacity_in(text)
    return tonumber(string.match(" " .. text, " capacity=(%d+)")) or 1
end

local function run()
    local old = redis.call("HGET", key.journal, "rules") or ""
    local text, was_paused = string.gsub(old, " ?" .. PAUSED .. "$", "")
    local is_paused = ARGV[2] == "1" or (ARGV[2] == "" and was_paused > 0)
    text = ARGV[1] == "-" and text or ARGV[1]
    if is_paused then
        text = text .. (text ~= "" and " " or "") .. PAUSED
    end
    if text == old then
        return 0
    end
    local is_turned = not string.match(text, FAIR) ~= not string.match(old, FAIR)
    if string.match(text, ORDER) ~= string.match(old, ORDER) then
        redis.call("UNLINK", key.order) -- the sweep finds them missing there, and places them
    end
    list.open()
    local fault = capacity_in(text) ~= capacity_in(old) and resize(capacity_in(text))
    if fault then
        return refusal(fault)
    elseif text == "" then
        redis.call("HDEL", key.journal, "rules")
    else
        redis.call("HSET", key.journal, "rules", text)
    end
    list.write()
    index.write()
    forget_rules()
    if is_turned then
        fair.forget()
    end
    serve.finish()
    return 1
end

return run()
