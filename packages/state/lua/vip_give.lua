--[[
  Gives the lease of a virtual address back. The number stays, so that the next one is higher.

  KEYS[1]  the lease: node, fencing number, when it was renewed
  ARGV[1]  node
  ARGV[2]  its fencing number; a lease of this node with a higher one stays

  Result   1 given back, 0 it is not this node's
]]
local node, fence, at = string.match(redis.call('GET', KEYS[1]) or '', '^(%S+) (%d+) (%d+)$')
if node ~= ARGV[1] or tonumber(fence) > tonumber(ARGV[2]) then
  return 0
end
redis.call('SET', KEYS[1], '- ' .. fence .. ' ' .. at)
return 1
