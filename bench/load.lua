-- wrk's part of bench.links: `-- KIND NUMBER [FILE]`. Prints one line of JSON at the end.
--   uniform N   GET a link of N, each equally likely
--   zipf N      GET a link of N, the i-th with a probability of about 1/i
--   unlike N    as uniform, and no two requests have the same headers
--   post FILE   POST the JSON in FILE
local kind, number
local sent = 0

function init(args)
  math.randomseed(os.time() + tonumber(tostring({}):match("0x(%x+)"), 16) % 1000003)
  kind = args[1]
  if kind == "post" then
    local file = assert(io.open(args[2], "r"))
    wrk.method = "POST"
    wrk.body = file:read("*a")
    wrk.headers["Content-Type"] = "application/json"
    file:close()
    fixed = wrk.format()
  else
    number = tonumber(args[2])
  end
end

-- bench.link_store names the i-th link in the same way.
local function path(i)
  return string.format("/n%08x", (i * 387420489) % 4294967296)
end

function request()
  if kind == "post" then return fixed end
  local i
  if kind == "zipf" then
    i = math.floor(number ^ math.random())
  else
    i = math.random(1, number)
  end
  if kind == "unlike" then
    sent = sent + 1
    wrk.headers["X-Request-Id"] = tostring(sent)
  end
  return wrk.format("GET", path(i))
end

function done(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format(
    '{"requests": %d, "seconds": %.3f, "p50_us": %d, "p99_us": %d, "failed": %d, "cut": %d}\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50), latency:percentile(99),
    errors.status, errors.connect + errors.read + errors.write + errors.timeout))
end
