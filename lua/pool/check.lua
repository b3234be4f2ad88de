-- check: every broken invariant of the pool, read at one instant.
-- keys: pool head tail leases
-- args: (none)
-- returns: [total, free, leased, text...], at most 100 texts
-- include: pool/whole.lua
K_leases = KEYS[4]

local texts = {}

local function say(what, name)
    if #texts < 100 then
        texts[#texts + 1] = what .. " " .. shown(name)
    end
end

-- Each entry by itself, and its neighbours' links back. Returns names that are free and allocated.
local function check_entries(names)
    local free, allocated = {}, {}
    for i = 1, #names do
        local name = names[i]
        local prev, next = prev_of[name], next_of[name]
        if prev == MALFORMED then
            say("the value makes no sense or is half allocated:", name)
        elseif prev == ALLOCATED then
            allocated[#allocated + 1] = name
        else
            free[#free + 1] = name
            if prev == "" and head ~= name then
                say("it has no prev and is not the head:", name)
            end
            if next == "" and tail ~= name then
                say("it has no next and is not the tail:", name)
            elseif next ~= "" and not whole_is_linked(name, next) then
                say("the one after does not lead back to", name)
            end
            if prev ~= "" and not (is_free(prev_of[prev]) and next_of[prev] == name) then
                say("the one before does not lead to", name)
            end
        end
    end
    return free, allocated
end

-- The ends, and whether the walk meets all that is free.
local function check_walk(free_count)
    if (head == "") ~= (tail == "") then
        say("the free list has one end only:", head .. tail)
    end
    local name, before, steps = head, "", 0
    while name ~= "" and steps <= free_count do
        if not is_free(prev_of[name]) or prev_of[name] ~= before then
            say("the walk from the head ends at", name)
            return
        end
        steps = steps + 1
        before, name = name, next_of[name]
    end
    if steps > free_count then
        say("the free list is a circle at", name)
    elseif before ~= tail then
        say("the walk from the head does not end at the tail but at", before)
    elseif steps < free_count then
        say("free resources out of the list's reach:", plain(free_count - steps))
    end
end

local function check_locks(free)
    for name in pairs(locked_among(free)) do
        say("free, but it has a lease key:", name)
    end
end

-- An entry of the index needs a lease key or an allocated entry, or is due and will go.
local function check_index()
    local all, names = call("ZRANGE", K_leases, 0, -1, "WITHSCORES"), {}
    for i = 1, #all, 2 do
        local score = all[i + 1]
        if prev_of[all[i]] ~= ALLOCATED and (score == "inf" or tonumber(score) > clock()) then
            names[#names + 1] = all[i]
        end
    end
    local locked = locked_among(names)
    for i = 1, #names do
        if not locked[names[i]] then
            say("in the index without a lease:", names[i])
        end
    end
end

local function run()
    local names = whole_read()
    local free, allocated = check_entries(names)
    check_walk(#free)
    check_locks(free)
    check_index()
    local reply = { #names, #free, #allocated }
    for i = 1, #texts do
        reply[i + 3] = texts[i]
    end
    return reply
end

return run()
