-- mark: why the cheap scripts must leave a pool to batch, beside its rules and its line: letters in
-- the journal's field `marks`.
--   p  something that is leased goes elsewhere when it comes back: see aside
--   l  resources have labels: see label
-- Knows: key.journal, which the script sets.  Must not know: what a mark means.
-- include: prelude.lua
local mark = {
    text = nil, -- the field as far as it is known
    known = {}, -- letter -> is it there? It is asked for each resource
}

-- text: the field, when it has been read; nil: not yet.
function mark.read(text)
    if text == nil then
        text = redis.call("HGET", key.journal, "marks")
    end
    mark.text, mark.known = text or "", {}
end

function mark.has(letter)
    if not mark.text then
        mark.read()
    end
    if mark.known[letter] == nil then
        mark.known[letter] = string.find(mark.text, letter, 1, true) ~= nil
    end
    return mark.known[letter]
end

function mark.set(letter)
    if not mark.has(letter) then
        mark.text, mark.known[letter] = mark.text .. letter, true
        redis.call("HSET", key.journal, "marks", mark.text)
    end
end

function mark.drop(letter)
    if mark.has(letter) then
        mark.text, mark.known[letter] = string.gsub(mark.text, letter, ""), false
        if mark.text == "" then
            redis.call("HDEL", key.journal, "marks")
        else
            redis.call("HSET", key.journal, "marks", mark.text)
        end
    end
end
