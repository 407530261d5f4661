-- Requests of many simulated phones, each with an address of its own. See bench/events.py.
local kind = os.getenv("BENCH_KIND")
local key = os.getenv("BENCH_KEY")
local known = tonumber(os.getenv("BENCH_PERSONS"))
local counter = 0
local id = 0

function setup(thread)
  counter = counter + 1
  thread:set("id", counter)
end

function init(args)
  math.randomseed(os.time() * 1000 + id)
  fresh = 0
end

local function vendor(number)
  return string.format("%08X-AAAA-4AAA-8AAA-%012X", number, number)
end

local function address(number)
  return string.format("10.%d.%d.%d", math.floor(number / 65536) % 256, math.floor(number / 256) % 256, number % 256)
end

local phone = '"os":"iOS","os_version":"17.4","model":"iPhone15,2","brand":"Apple","screen_width":1170,'
  .. '"screen_height":2532,"country":"DE","language":"en","app_version":"1.2.3"'

local function open()
  local path, number = "/v1/open", math.random(0, known - 1)
  local tokens = string.format(
    ',"randomized_device_token":"%d","randomized_bundle_token":"%d"', 700000000000000000 + number * 1024,
    800000000000000000 + number * 1024)
  if math.random() < 0.2 then
    fresh = fresh + 1
    number, path, tokens = known + os.time() % 100000 * 10000 + id * 5000000 + fresh, "/v1/install", ""
  end
  local body = string.format(
    '{"branch_key":"%s","sdk":"ios3.14.0",%s,"hardware_id":"%s","hardware_id_type":"vendor_id",'
      .. '"is_hardware_id_real":true,"ios_vendor_id":"%s","update":1,"first_install_time":1750000000000,'
      .. '"branch_sdk_request_unique_id":"%d-%d-%d"%s}',
    key, phone, vendor(number), vendor(number), id, math.random(0, 2147483647), math.random(0, 2147483647), tokens)
  return path, number, body
end

local function event()
  local number = math.random(0, known - 1)
  local body = string.format(
    '{"branch_key":"%s","name":"PURCHASE","user_data":{%s,"idfv":"%s","environment":"FULL_APP",'
      .. '"randomized_device_token":"%d"},"event_data":{"revenue":19.99,"currency":"EUR","transaction_id":"%d-%d-%d"},'
      .. '"custom_data":{"color":"red"},"content_items":[{"$sku":"1","$price":19.99,"$quantity":1}]}',
    key, phone, vendor(number), 700000000000000000 + number * 1024, id, math.random(0, 2147483647),
    math.random(0, 2147483647))
  return "/v2/event/standard", number, body
end

function request()
  local path, number, body
  if kind == "open" then
    path, number, body = open()
  else
    path, number, body = event()
  end
  return wrk.format("POST", path, {["Content-Type"] = "application/json", ["X-Forwarded-For"] = address(number)}, body)
end

function done(summary, latency, requests)
  io.write(string.format("RESULT %d %d %d %d %d\n", summary.requests, summary.duration,
    latency:percentile(50), latency:percentile(99),
    summary.errors.status + summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout))
end
