-- note: who holds a lease, and which request it answered, for those who gave OWNER or REQID.
--   notes[resource] = token NUL owner NUL reqid, or with sessions token NUL owner NUL reqid NUL holders;
--   held: owner NUL resource, by bytes;
--   requests[reqid] = flag NUL (resource NUL token)...; flag 1: a repeated request got it, too.
-- True only while the lease key has the noted token: others may end a lease without telling.
-- holders: the sessions that have it by this request, each a blank and its id, and " -" for whoever has it
-- without one; " " alone when all of them have left, but will come back.
-- A token that has a note has '+' behind its fence. The script sets key.notes, key.held, key.requests.
-- include: prelude.lua
local note = {}

function note.has(token)
    return string.find(token, "^%d+%+") ~= nil
end

-- token, owner, reqid, holders of a note; "" for all when there is none or it makes no sense.
function note.split(record)
    if type(record) ~= "string" then
        return "", "", "", ""
    end
    local token, owner, reqid, holders = string.match(record, "^(%Z+)%z(%Z*)%z(%Z*)%z?(%Z*)$")
    return token or "", owner or "", reqid or "", holders or ""
end

local function set_holders(resource, token, owner, reqid, holders)
    redis.call("HSET", key.notes, resource, table.concat({ token, owner, reqid, holders }, "\0"))
end

-- A repeated request has got the lease, by this session; holder "": without one.
function note.join(resource, its_token, holder)
    local token, owner, reqid, holders = note.split(redis.call("HGET", key.notes, resource))
    if token ~= its_token or (holders == "" and holder == "") then
        return
    end
    local word = " " .. (holder == "" and "-" or holder)
    holders = holders == "" and " -" or holders == " " and "" or holders
    if not string.find(holders .. " ", word .. " ", 1, true) then
        set_holders(resource, token, owner, reqid, holders .. word)
    end
end

-- A session leaves the lease. Returns whether nobody else has it, as far as that can be told.
function note.leave(resource, its_token, holder)
    local token, owner, reqid, holders = note.split(redis.pcall("HGET", key.notes, resource))
    local from, to = string.find(holders .. " ", " " .. holder .. " ", 1, true)
    if token ~= its_token or not from then
        return false
    end
    holders = string.sub(holders, 1, from - 1) .. string.sub(holders, to)
    set_holders(resource, token, owner, reqid, holders == "" and " " or holders)
    return holders == ""
end

-- The pairs of a request's record: resource, token, resource, token ...; its flag.
function note.request(record)
    local parts = {}
    for part in string.gmatch(string.sub(record, 2), "%z(%Z*)") do
        parts[#parts + 1] = part
    end
    return parts, string.sub(record, 1, 1)
end

-- Takes leases that have ended (resource -> token) out of the request that got them, all at once: its
-- record may be long. A request without any is forgotten.
function note.drop_request(reqid, ended)
    local record = redis.pcall("HGET", key.requests, reqid)
    if type(record) ~= "string" then
        return
    end
    local parts, flag = note.request(record)
    local kept = { flag }
    for i = 1, #parts - 1, 2 do
        if ended[parts[i]] ~= parts[i + 1] then
            kept[#kept + 1] = parts[i]
            kept[#kept + 1] = parts[i + 1]
        end
    end
    if #kept == 1 then
        redis.call("HDEL", key.requests, reqid)
    elseif #kept ~= #parts + 1 then
        redis.call("HSET", key.requests, reqid, table.concat(kept, "\0"))
    end
end

-- Forgets what is noted of these resources: their leases have ended.
function note.forget(resources)
    local ended_of = {} -- reqid -> resource -> token
    for i = 1, #resources, CHUNK do
        local last = math.min(i + CHUNK - 1, #resources)
        local notes = redis.pcall("HMGET", key.notes, unpack(resources, i, last))
        if is_error(notes) then
            return
        end
        for k = i, last do
            local record, resource = notes[k - i + 1], resources[k]
            if record then
                local token, owner, reqid = note.split(record)
                redis.call("HDEL", key.notes, resource)
                if owner ~= "" then
                    redis.pcall("ZREM", key.held, owner .. "\0" .. resource)
                end
                if reqid ~= "" then
                    ended_of[reqid] = ended_of[reqid] or {}
                    ended_of[reqid][resource] = token
                end
            end
        end
    end
    for reqid, ended in pairs(ended_of) do
        note.drop_request(reqid, ended)
    end
end

-- An error reply when one of the three keys is of another type, before anything is written; else nil.
function note.fault()
    local replies = {
        redis.pcall("HLEN", key.notes), redis.pcall("ZCARD", key.held),
        redis.pcall("HLEN", key.requests),
    }
    for _, reply in ipairs(replies) do
        if is_error(reply) then
            return reply
        end
    end
    return nil
end

-- Notes leases just granted: pairs of resource and token. What is noted of an earlier lease of the
-- same resource is of the past. holder: the session that has them; "": none.
function note.add(pairs_, owner, reqid, holder)
    local resources, notes, members = {}, {}, {}
    for i = 1, #pairs_, 2 do
        local resource, token = pairs_[i], pairs_[i + 1]
        resources[#resources + 1] = resource
        notes[#notes + 1] = resource
        notes[#notes + 1] = table.concat({ token, owner, reqid }, "\0")
            .. (holder ~= "" and "\0 " .. holder or "")
        members[#members + 1] = 0
        members[#members + 1] = owner .. "\0" .. resource
    end
    note.forget(resources)
    call_each("HSET", key.notes, notes)
    if owner ~= "" then
        call_each("ZADD", key.held, members)
    end
    if reqid ~= "" then
        redis.call("HSET", key.requests, reqid, "0\0" .. table.concat(pairs_, "\0"))
    end
end
