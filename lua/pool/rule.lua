-- rule: how this pool is handed out, beyond its mode. A daemon that has settings for the pool writes
-- them into the journal (field `rules`: "order=lifo rest=1000"), and all daemons follow: what one of
-- them has been told holds for the resources, whoever frees them.
-- Knows: key.journal, which the script sets.  Must not know: what a rule means.
-- include: prelude.lua
local rule = {} -- name -> value, a number where it is one; nil: as without any rule
local are_rules_read = false

-- text: the field as far as it has been read; nil: not yet.
local function read_rules(text)
    if are_rules_read then
        return
    end
    are_rules_read = true
    if text == nil then
        text = redis.pcall("HGET", key.journal, "rules")
    end
    -- A journal of another type is somebody else's to notice.
    for name, value in string.gmatch(type(text) == "string" and text or "", "(%S+)=(%S+)") do
        rule[name] = tonumber(value) or value
    end
end

-- They have changed, or are about to: whoever asks next reads them anew.
local function forget_rules()
    are_rules_read = false
    for name in pairs(rule) do
        rule[name] = nil
    end
end
