-- A browser: the headers that Chromium sends for an image of another site, or for a page it goes to.
-- Arguments: path up to what makes each request its own; cookie; round; "image" or "page"; "close" or "keep".
local count, round = 0, 0
local path
local headers = {
  ["Host"] = "track.example.com",
  ["User-Agent"] = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36",
  ["Accept-Language"] = "en-US,en;q=0.9",
  ["Accept-Encoding"] = "gzip, deflate, br, zstd",
  ["Referer"] = "https://shop.example.com/",
  ["Sec-Fetch-Site"] = "cross-site",
  ["sec-ch-ua"] = '"Chromium";v="156", "Not:A-Brand";v="24"',
  ["sec-ch-ua-mobile"] = "?0",
  ["sec-ch-ua-platform"] = '"Windows"',
}

function init(args)
  path = args[1]
  headers["Cookie"] = args[2]
  round = args[3]
  if args[4] == "image" then
    headers["Accept"] = "image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8"
    headers["Sec-Fetch-Dest"] = "image"
    headers["Sec-Fetch-Mode"] = "no-cors"
  else
    headers["Accept"] = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8"
    headers["Sec-Fetch-Dest"] = "document"
    headers["Sec-Fetch-Mode"] = "navigate"
    headers["Sec-Fetch-User"] = "?1"
    headers["Upgrade-Insecure-Requests"] = "1"
  end
  if args[5] == "close" then
    headers["Connection"] = "close"
  end
end

function request()
  count = count + 1
  return wrk.format("GET", path .. round .. "-" .. count, headers)
end
