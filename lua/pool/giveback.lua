-- giveback: ends leases that were granted and whose holder will never know of them.
-- The script sets what lease wants.
-- include: pool/lease.lua
local giveback = {
    joined = {}, -- reqid -> has another request joined the one that got leases by this id?
    noted = {},
    can_push = nil,
}

-- What cannot be told, because somebody deleted a note, counts as joined: that lease ends by its time.
function giveback.is_joined(resource)
    local joined = giveback.joined
    local token, _, reqid = note.split(redis.call("HGET", key.notes, resource))
    if reqid ~= "" and joined[reqid] == nil then
        local record = redis.call("HGET", key.requests, reqid)
        joined[reqid] = not record or string.sub(record, 1, 1) == "1"
    end
    return token == "" or (reqid ~= "" and joined[reqid])
end

-- The lease ends now, if it is still this one and nobody else's too; with a broken list its resource
-- waits outside, due, for the collector. giveback.finish() comes after the last one.
function giveback.lease(resource, token)
    if key.values({ resource })[1] ~= token
        or (note.has(token) and giveback.is_joined(resource)) then
        return false
    end
    if giveback.can_push == nil then
        giveback.can_push = list.push_fault() == nil
    end
    local prev = entry.of(resource)
    local is_waiting = prev == MALFORMED or (prev == ALLOCATED and not giveback.can_push)
    redis.call("DEL", key.lease(resource))
    index.set(resource, is_waiting and clock())
    if prev == ALLOCATED and giveback.can_push then
        list.take_back(resource, expiry_of[resource])
    end
    if note.has(token) then
        giveback.noted[#giveback.noted + 1] = resource
    end
    return true
end

function giveback.finish()
    note.forget(giveback.noted)
    giveback.noted, giveback.can_push = {}, nil
end
