-- For wrk: sends the requests of a file, each once and in order, and counts the replies that were not 200. A file with one request is sent again
-- and again. A line of the file is `method TAB path TAB header: value TAB ... TAB body`.
--   wrk --threads 1 ... --script requests.lua URL -- FILE

local ffi = require("ffi")
ffi.cdef("typedef struct { long seconds; long nanoseconds; } instant; int clock_gettime(int clock, instant *now);")
local instant = ffi.new("instant")
local threads = {}

-- Seconds on CLOCK_MONOTONIC. wrk's own duration goes on when all has been sent.
local function now()
    ffi.C.clock_gettime(1, instant)
    return tonumber(instant.seconds) + tonumber(instant.nanoseconds) / 1e9
end

function setup(thread)
    table.insert(threads, thread)
end

function init(arguments)
    prepared, position, sent, others, first, last = {}, 0, 0, 0, 0, 0
    for line in io.lines(arguments[1]) do
        local fields = {}
        for field in string.gmatch(line .. "\t", "([^\t]*)\t") do
            table.insert(fields, field)
        end
        local headers = {}
        for index = 3, #fields - 1 do
            local name, value = string.match(fields[index], "^([^:]+): (.*)$")
            headers[name] = value
        end
        local body = fields[#fields]
        table.insert(prepared, wrk.format(fields[1], fields[2], headers, body ~= "" and body or nil))
    end
end

function request()
    if first == 0 then
        first = now()
    end
    position = position + 1
    if position > #prepared then
        position = 1
        if #prepared > 1 then
            wrk.thread:stop()
        end
    end
    return prepared[position]
end

function response(status)
    sent = sent + 1
    last = now()
    if status ~= 200 then
        others = others + 1
    end
end

function done()
    local thread = threads[1]
    io.write(string.format("replies %d others %d seconds %.6f\n", thread:get("sent"), thread:get("others"), thread:get("last") - thread:get("first")))
end
