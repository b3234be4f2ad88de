-- compare: the conditions of SETIF and DELIF, as the Python library has them: value op current; a
-- missing key counts as true; numbers that differ by a millionth are equal.
-- include: prelude.lua
-- include: lock/hold.lua
local EPSILON = 1e-6

-- Only what reads as a decimal number: not 0x10, inf or nan.
local function number_of(text)
    return string.find(text, "^[-+]?[%d.]+[eE]?[-+]?%d*$") and tonumber(text) or nil
end

-- Does the condition hold? An error reply when the present value is no number.
local function compare(op, value, current_text)
    local current = current_text and number_of(current_text)
    if not current_text then
        return true
    elseif not current then
        return refusal("ERR the present value is no number: " .. shown(current_text))
    end
    if op == ">" then
        return value > current
    elseif op == "<" then
        return value < current
    elseif op == ">=" then
        return value >= current - EPSILON
    elseif op == "<=" then
        return value <= current + EPSILON
    elseif op == "==" then
        return math.abs(value - current) < EPSILON
    end
    return math.abs(value - current) > EPSILON
end
