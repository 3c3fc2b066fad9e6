--[[
  A proxy says that it is there, and hears who else is. All ages are told by the clock of this Redis, so that the clocks of
  the proxies do not matter. Who was silent for too long is removed.

  KEYS[1]  the hash: proxy → words, the last of them beat=seconds.millis
  ARGV[1]  name of the proxy
  ARGV[2]  its words, without the beat
  ARGV[3]  how old its beat may get before it is written anew, in milliseconds
  ARGV[4]  how old another one's beat may get before that one is removed, in milliseconds
  ARGV[5]  how many others are told of at most; those that were there last

  Result   now in milliseconds, what stood there of this proxy before (or empty), then name and words of each other one.
           Fields that are too long for what a proxy writes are passed over.
]]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local function beatOf(words)
  local beat = tonumber(string.match(' ' .. words, '%sbeat=(%d+%.?%d*)'))
  return beat and math.floor(beat * 1000 + 0.5)
end

local before = redis.call('HGET', KEYS[1], ARGV[1]) or ''
local own = string.match(before, '^(.*) beat=%d+%.%d+$')
local age = own == ARGV[2] and now - beatOf(before)
if not age or age < 0 or age >= tonumber(ARGV[3]) then
  redis.call('HSET', KEYS[1], ARGV[1], string.format('%s beat=%d.%03d', ARGV[2], time[1], math.floor(time[2] / 1000)))
end

-- One step of a scan: all of a hash of usual size, and a bounded part of one that somebody has filled with other things.
local scanned = redis.call('HSCAN', KEYS[1], '0', 'COUNT', '1024')[2]
local others = {}
for i = 1, #scanned, 2 do
  local name, words = scanned[i], scanned[i + 1]
  local beat = name ~= ARGV[1] and #name <= 128 and #words <= 1024 and beatOf(words)
  if beat and now - beat > tonumber(ARGV[4]) then
    redis.call('HDEL', KEYS[1], name)
  elseif beat then
    others[#others + 1] = { name = name, words = words, beat = beat }
  end
end
table.sort(others, function(a, b)
  return a.beat > b.beat
end)

local result = { string.format('%.0f', now), before }
for i = 1, math.min(#others, tonumber(ARGV[5])) do
  result[#result + 1] = others[i].name
  result[#result + 1] = others[i].words
end
return result
