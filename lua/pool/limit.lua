-- limit: how long a lease may last (rule max_lease, in ms) and how much one owner may hold (rule
-- max_per_owner).
-- Held is what note has of the owner; what has ended without anybody's telling is looked for when that
-- seems too much.
-- Knows: rules, notes, lease keys.  Must not know: what is free.
-- include: pool/key.lua
-- include: pool/note.lua
-- include: pool/rule.lua
local limit = {
    MOST_LOOKED_AT = 1000, -- of what an owner holds
}

-- The time that a lease gets which asks for this one; <= 0: for ever.
function limit.time(timeout_ms)
    local most = rule.max_lease
    return most and (timeout_ms <= 0 or timeout_ms > most) and most or timeout_ms
end

-- How long the lease of this token may last yet, from its grant on; nil: as long as anybody wants.
function limit.left(token)
    local fence = key.fence_of(token)
    if not rule.max_lease or fence == 0 then
        return nil
    end
    return math.floor(fence / 1000) + rule.max_lease - clock()
end

-- Ends the notes of what the owner does not hold any more. Returns how many these were.
local function drop_dead(owner, members)
    local resources, dead, stale = {}, {}, {}
    for i = 1, #members do
        resources[i] = string.sub(members[i], #owner + 2)
    end
    local values = key.values(resources)
    for i = 1, #resources do
        local token, its_owner = note.split(redis.call("HGET", key.notes, resources[i]))
        if its_owner ~= owner then
            stale[#stale + 1] = members[i]
        elseif values[i] ~= token then
            dead[#dead + 1] = resources[i]
        end
    end
    call_each("ZREM", key.held, stale)
    note.forget(dead)
    return #stale + #dead
end

-- How much the owner holds; it may be less when that is no more than `enough`.
local function count_held(owner, enough)
    local from, to = "[" .. owner .. "\0", "(" .. owner .. "\1"
    local count = redis.call("ZLEXCOUNT", key.held, from, to)
    if count > enough then
        count = count - drop_dead(owner,
            redis.call("ZRANGEBYLEX", key.held, from, to, "LIMIT", 0, limit.MOST_LOOKED_AT))
    end
    return count
end

-- How much more the owner may hold who asks for at least `needed`. Refused as the second, unless the
-- one who asks can wait until it holds less. Who was in the line when the rule came needs no owner.
function limit.room(ask, needed)
    local most, owner = rule.max_per_owner, ask.owner
    if not most or (owner == "" and ask.is_in_line) then
        return math.huge
    elseif owner == "" then
        return 0, refusal("ERR this pool wants OWNER of each MALLOC: it has max_per_owner")
    elseif needed > most and not ask.is_in_line then
        return 0, refusal(string.format("ERR %d at once are more than one owner may hold: "
            .. "max_per_owner is %d", needed, most))
    end
    local held = count_held(owner, most - needed)
    if held + needed > most and not (ask.is_in_line or ask.can_wait) then
        return 0, refusal(string.format("QUOTA owner %s holds %d of %d (max_per_owner)",
            shown(owner), held, most))
    end
    return most - held
end
