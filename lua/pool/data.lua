-- data: what belongs to a resource, such as an address or a password, for whoever gets it.
--   trait d: the bytes
-- include: pool/trait.lua
local data = {}

-- A reply of leases, each with its resource's data behind it (nil: none) when they are asked for.
-- more: further options, as malloc has them.
function data.with(reply, more)
    if is_error(reply) or not has_option(more, "D") then
        return reply
    end
    local longer, fields = {}, {}
    for i = 1, #reply, 4 do
        fields[#fields + 1] = "d" .. slot.split(reply[i])
    end
    for i = 1, #fields, CHUNK do
        local last = math.min(i + CHUNK - 1, #fields)
        local found = redis.call("HMGET", key.traits, unpack(fields, i, last))
        for k = i, last do
            for n = 4 * k - 3, 4 * k do
                longer[#longer + 1] = reply[n]
            end
            longer[#longer + 1] = found[k - i + 1]
        end
    end
    return longer
end
