-- note: who holds a lease, and which request it answered, for those who gave OWNER or REQID.
--   notes[resource] = token NUL owner NUL reqid;  held: owner NUL resource, by bytes;
--   requests[reqid] = flag NUL (resource NUL token)...; flag 1: a repeated request got it, too.
-- True only while the lease key has the noted token: others may end a lease without telling.
-- A token that has a note has '+' behind its fence. The script sets the keys below.
-- include: prelude.lua
local K_notes, K_held, K_requests

local function has_note(token)
    return find(token, "^%d+%+") ~= nil
end

-- token, owner, reqid of a note; "" for all when there is none or it makes no sense.
local function note_split(note)
    if type(note) ~= "string" then
        return "", "", ""
    end
    local token, owner, reqid = match(note, "^(%Z+)%z(%Z*)%z(%Z*)$")
    return token or "", owner or "", reqid or ""
end

-- The pairs of a request's record: resource, token, resource, token ...; its flag.
local function request_split(record)
    local parts = {}
    for part in string.gmatch(sub(record, 2), "%z(%Z*)") do
        parts[#parts + 1] = part
    end
    return parts, sub(record, 1, 1)
end

-- Takes a resource out of the request that got it; a request without any is forgotten.
local function request_drop(reqid, resource, token)
    local record = try("HGET", K_requests, reqid)
    if type(record) ~= "string" then
        return
    end
    local parts, flag = request_split(record)
    local kept = { flag }
    for i = 1, #parts - 1, 2 do
        if parts[i] ~= resource or parts[i + 1] ~= token then
            kept[#kept + 1] = parts[i]
            kept[#kept + 1] = parts[i + 1]
        end
    end
    if #kept == 1 then
        call("HDEL", K_requests, reqid)
    elseif #kept ~= #parts + 1 then
        call("HSET", K_requests, reqid, concat(kept, "\0"))
    end
end

local function note_drop(resource, note)
    local token, owner, reqid = note_split(note)
    call("HDEL", K_notes, resource)
    if owner ~= "" then
        try("ZREM", K_held, owner .. "\0" .. resource)
    end
    if reqid ~= "" then
        request_drop(reqid, resource, token)
    end
end

-- Forgets what is noted of these resources: their leases have ended.
local function note_forget_all(resources)
    for i = 1, #resources, CHUNK do
        local last = min(i + CHUNK - 1, #resources)
        local notes = try("HMGET", K_notes, unpack(resources, i, last))
        if is_error(notes) then
            return
        end
        for k = i, last do
            if notes[k - i + 1] then
                note_drop(resources[k], notes[k - i + 1])
            end
        end
    end
end

-- An error reply when one of the three keys is of another type, before anything is written; else nil.
local function note_fault()
    local replies = { try("HLEN", K_notes), try("ZCARD", K_held), try("HLEN", K_requests) }
    for _, reply in ipairs(replies) do
        if is_error(reply) then
            return reply
        end
    end
    return nil
end

-- Notes leases just granted: pairs of resource and token. What is noted of an earlier lease of the
-- same resource is of the past.
local function note_grants(pairs_, owner, reqid)
    local resources, notes, members = {}, {}, {}
    for i = 1, #pairs_, 2 do
        local resource, token = pairs_[i], pairs_[i + 1]
        resources[#resources + 1] = resource
        notes[#notes + 1] = resource
        notes[#notes + 1] = concat({ token, owner, reqid }, "\0")
        members[#members + 1] = 0
        members[#members + 1] = owner .. "\0" .. resource
    end
    note_forget_all(resources)
    call_each("HSET", K_notes, notes)
    if owner ~= "" then
        call_each("ZADD", K_held, members)
    end
    if reqid ~= "" then
        call("HSET", K_requests, reqid, "0\0" .. concat(pairs_, "\0"))
    end
end
