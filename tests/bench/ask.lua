-- Asks what the environment says, and prints one line of figures: requests a second, latencies in microseconds, errors,
-- requests. With ASK_PAUSE, each connection waits between two requests for 0 to that many milliseconds.
wrk.method = "POST"
wrk.body = os.getenv("ASK_INPUT")
wrk.headers["Content-Type"] = "application/json"

local pause = tonumber(os.getenv("ASK_PAUSE") or "")
if pause then
    function delay() return math.random(0, pause) end
end

function done(summary, latency)
    local errors = summary.errors
    io.write(string.format("figures %.0f %.0f %.0f %.0f %d %d\n",
        summary.requests / summary.duration * 1e6,
        latency:percentile(50), latency:percentile(99), latency:percentile(99.9),
        errors.connect + errors.read + errors.write + errors.status + errors.timeout,
        summary.requests))
end
