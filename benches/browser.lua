-- A browser that loads pixels: the headers that Chromium sends for an image of another site, one order each.
local count, thread = 0, 0
local headers = {
  ["Host"] = "track.example.com",
  ["User-Agent"] = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36",
  ["Accept"] = "image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8",
  ["Accept-Language"] = "en-US,en;q=0.9",
  ["Accept-Encoding"] = "gzip, deflate, br, zstd",
  ["Referer"] = "https://shop.example.com/",
  ["Sec-Fetch-Dest"] = "image",
  ["Sec-Fetch-Mode"] = "no-cors",
  ["Sec-Fetch-Site"] = "cross-site",
  ["sec-ch-ua"] = '"Chromium";v="156", "Not:A-Brand";v="24"',
  ["sec-ch-ua-mobile"] = "?0",
  ["sec-ch-ua-platform"] = '"Windows"',
}
local path

function init(args)
  path = args[1]
  headers["Cookie"] = args[2]
  thread = args[3]
end

function request()
  count = count + 1
  return wrk.format("GET", path .. "?amount=19.95&currency=USD&id=" .. thread .. "-" .. count, headers)
end
