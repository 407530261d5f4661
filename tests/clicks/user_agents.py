"""Real User-Agent strings by the name of who sends them."""

from __future__ import annotations

_IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)"
_WEBKIT = "AppleWebKit/537.36 (KHTML, like Gecko)"

IPHONE_SAFARI = f"{_IPHONE} Version/17.4.1 Mobile/15E148 Safari/604.1"
IPHONE_OLD_SAFARI = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 9_3_5 like Mac OS X) AppleWebKit/601.1.46 (KHTML, like Gecko) Version/9.0 "
    "Mobile/13G36 Safari/601.1"
)
IPHONE_CHROME = f"{_IPHONE} CriOS/123.0.6312.52 Mobile/15E148 Safari/604.1"
IPHONE_FIREFOX = f"{_IPHONE} FxiOS/124.0 Mobile/15E148 Safari/605.1.15"
IPHONE_EDGE = f"{_IPHONE} Version/17.0 EdgiOS/122.0.2365.99 Mobile/15E148 Safari/605.1.15"
IPHONE_GOOGLE_APP = f"{_IPHONE} GSA/306.0.617544629 Mobile/15E148 Safari/604.1"
IPHONE_WEBVIEW = f"{_IPHONE} Mobile/15E148"
IPHONE_FACEBOOK = (
    f"{_IPHONE} Mobile/15E148 [FBAN/FBIOS;FBAV/455.0.0.32.108;FBBV/575110115;FBDV/iPhone15,2;FBMD/iPhone;FBSN/iOS;"
    "FBSV/17.4.1;FBSS/3;FBID/phone;FBLC/en_US;FBOP/5;FBRV/0]"
)
IPHONE_MESSENGER = f"{_IPHONE} Mobile/21E236 [FBAN/MessengerForiOS;FBAV/450.0.0.39.107;FBDV/iPhone15,2;FBSN/iOS]"
IPHONE_INSTAGRAM = (
    f"{_IPHONE} Mobile/15E148 Instagram 324.0.3.27.50 (iPhone15,2; iOS 17_4_1; en_US; en; scale=3.00; 1179x2556; 5701)"
)
IPHONE_THREADS = f"{_IPHONE} Mobile/15E148 Barcelona 324.0.0.25.114 (iPhone15,2; iOS 17_4_1; en_US; en; scale=3.00)"
IPHONE_WECHAT = f"{_IPHONE} Mobile/15E148 MicroMessenger/8.0.48(0x18003030) NetType/WIFI Language/zh_CN"
IPHONE_TWITTER = f"{_IPHONE} Mobile/21E236 Twitter for iPhone/10.35"
IPHONE_LINKEDIN = f"{_IPHONE} Mobile/15E148 [LinkedInApp]/9.29.5172"
IPHONE_PINTEREST = f"{_IPHONE} Mobile/15E148 [Pinterest/iOS]"
IPHONE_SNAPCHAT = f"{_IPHONE} Mobile/15E148 Snapchat/12.81.0.44 (like Safari/8617.2.4.10.8, panda)"
IPHONE_TIKTOK = (
    f"{_IPHONE} Mobile/15E148 musical_ly_33.9.0 JsSdk/2.0 NetType/WIFI Channel/App Store BytedanceWebview/d8a21c6"
)
IPHONE_LINE = f"{_IPHONE} Mobile/15E148 Safari Line/14.4.1"
IPHONE_KAKAOTALK = f"{_IPHONE} Mobile/15E148 KAKAOTALK/10.7.5 (INAPP)"
IPHONE_VIBER = f"{_IPHONE} Mobile/15E148 Viber/22.2.0.1"
IPOD = (
    "Mozilla/5.0 (iPod touch; CPU iPhone OS 12_5_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/12.1.2 Mobile/15E148 Safari/604.1"
)
IPAD = (
    "Mozilla/5.0 (iPad; CPU OS 16_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/16.6 Mobile/15E148 "
    "Safari/604.1"
)
IPAD_WECHAT = (
    "Mozilla/5.0 (iPad; CPU OS 16_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 "
    "MicroMessenger/8.0.48(0x18003030) NetType/WIFI Language/zh_CN"
)

ANDROID_CHROME = f"Mozilla/5.0 (Linux; Android 10; K) {_WEBKIT} Chrome/124.0.0.0 Mobile Safari/537.36"
PIXEL_CHROME = (
    f"Mozilla/5.0 (Linux; Android 14; Pixel 8 Build/UQ1A.240205.004) {_WEBKIT} Chrome/124.0.6367.54 "
    "Mobile Safari/537.36"
)
ANDROID_FIREFOX = "Mozilla/5.0 (Android 14; Mobile; rv:125.0) Gecko/125.0 Firefox/125.0"
ANDROID_OPERA = (
    f"Mozilla/5.0 (Linux; Android 13; CPH2411) {_WEBKIT} Chrome/120.0.0.0 Mobile Safari/537.36 OPR/79.5.4195.76985"
)
ANDROID_FACEBOOK = (
    f"Mozilla/5.0 (Linux; Android 13; SM-A536B Build/TP1A.220624.014; wv) {_WEBKIT} Version/4.0 Chrome/123.0.6312.40 "
    "Mobile Safari/537.36 [FB_IAB/FB4A;FBAV/458.0.0.54.86;]"
)
ANDROID_META_VIEW = (
    f"Mozilla/5.0 (Linux; Android 16; Pixel 10 Pro XL Build/CP1A.260305.018; wv) {_WEBKIT} Version/4.0 "
    "Chrome/146.0.7680.174 Mobile Safari/537.36 MetaIAB Facebook"
)
ANDROID_INSTAGRAM = (
    f"Mozilla/5.0 (Linux; Android 13; M2101K6G Build/TKQ1.221013.002; wv) {_WEBKIT} Version/4.0 Chrome/122.0.6261.119 "
    "Mobile Safari/537.36 Instagram 321.0.0.39.106 Android (33/13; 440dpi; 1080x2179; Xiaomi/Redmi; M2101K6G)"
)
ANDROID_WECHAT = (
    f"Mozilla/5.0 (Linux; Android 13; V2230A Build/TP1A.220624.014; wv) {_WEBKIT} Version/4.0 Chrome/116.0.0.0 Mobile "
    "Safari/537.36 XWEB/1160083 MMWEBSDK/20240301 MicroMessenger/8.0.48.2580(0x28003036) WeChat/arm64 Weixin NetType/4G"
)
ANDROID_WEBVIEW = (
    f"Mozilla/5.0 (Linux; Android 12; moto g(30) Build/S0RC32; wv) {_WEBKIT} Version/4.0 Chrome/120.0.0.0 "
    "Mobile Safari/537.36"
)
ANDROID_TABLET = f"Mozilla/5.0 (Linux; Android 12; Lenovo TB-X606F) {_WEBKIT} Chrome/121.0.0.0 Safari/537.36"
ANDROID_OLD = (
    "Mozilla/5.0 (Linux; U; Android 4.0.3; de-de; GT-I9100 Build/IML74K) AppleWebKit/534.30 (KHTML, like Gecko) "
    "Version/4.0 Mobile Safari/534.30"
)
SAMSUNG_INTERNET = (
    f"Mozilla/5.0 (Linux; Android 10; K) {_WEBKIT} SamsungBrowser/24.0 Chrome/117.0.0.0 Mobile Safari/537.36"
)
SAMSUNG_CHROME = f"Mozilla/5.0 (Linux; Android 13; SM-S918B) {_WEBKIT} Chrome/112.0.0.0 Mobile Safari/537.36"
SAMSUNG_TABLET = f"Mozilla/5.0 (Linux; Android 13; SM-X906C) {_WEBKIT} Chrome/119.0.0.0 Safari/537.36"
HUAWEI_BROWSER = (
    f"Mozilla/5.0 (Linux; Android 12; HarmonyOS; NOH-AN01; HMSCore 6.13.0.302) {_WEBKIT} Chrome/99.0.4844.88 "
    "HuaweiBrowser/14.0.4.302 Mobile Safari/537.36"
)
HUAWEI_CHROME = f"Mozilla/5.0 (Linux; Android 9; ANE-LX1) {_WEBKIT} Chrome/109.0.5414.118 Mobile Safari/537.36"
HUAWEI_NEXT = (
    "Mozilla/5.0 (Phone; OpenHarmony 5.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/114.0.0.0 "
    "Safari/537.36 ArkWeb/4.1.6.1 Mobile HuaweiBrowser/5.0.4.300"
)
CUBOT = f"Mozilla/5.0 (Linux; Android 9; CUBOT_X19) {_WEBKIT} Chrome/83.0.4103.101 Mobile Safari/537.36"
FIRE_TABLET = f"Mozilla/5.0 (Linux; Android 9; KFMAWI) {_WEBKIT} Silk/120.2.6 like Chrome/120.0.6099.144 Safari/537.36"
FIRE_DESKTOP_MODE = f"Mozilla/5.0 (X11; Linux x86_64) {_WEBKIT} Silk/120.2.6 like Chrome/120.0.6099.144 Safari/537.36"
FIRE_TV = (
    f"Mozilla/5.0 (Linux; Android 9; AFTKA Build/PS7642) {_WEBKIT} Silk/118.3.5 like "
    "Chrome/118.0.5993.155 Safari/537.36"
)

MAC_SAFARI = (
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4.1 "
    "Safari/605.1.15"
)
MAC_CHROME = f"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) {_WEBKIT} Chrome/124.0.0.0 Safari/537.36"
WINDOWS_EDGE = f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {_WEBKIT} Chrome/123.0.0.0 Safari/537.36 Edg/123.0.2420.97"
WINDOWS_CHROME = f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {_WEBKIT} Chrome/124.0.0.0 Safari/537.36"
WINDOWS_IE = "Mozilla/5.0 (Windows NT 6.1; WOW64; Trident/7.0; rv:11.0) like Gecko"
LINUX_FIREFOX = "Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:125.0) Gecko/20100101 Firefox/125.0"
CHROMEBOOK = f"Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) {_WEBKIT} Chrome/124.0.0.0 Safari/537.36"
OLD_OPERA = "Opera/9.80 (Windows NT 6.1; WOW64) Presto/2.12.388 Version/12.18"
VSCODE = (
    f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {_WEBKIT} Code/1.115.0 Chrome/142.0.7444.265 "
    "Electron/39.8.5 Safari/537.36"
)

WINDOWS_PHONE = (
    "Mozilla/5.0 (Mobile; Windows Phone 8.1; Android 4.0; ARM; Trident/7.0; Touch; rv:11.0; IEMobile/11.0; NOKIA; "
    "Lumia 635) like iPhone OS 7_0_3 Mac OS X AppleWebKit/537 (KHTML, like Gecko) Mobile Safari/537"
)
BLACKBERRY_10 = (
    "Mozilla/5.0 (BB10; Touch) AppleWebKit/537.10+ (KHTML, like Gecko) Version/10.3.3.2205 Mobile Safari/537.10+"
)
PLAYBOOK = (
    "Mozilla/5.0 (PlayBook; U; RIM Tablet OS 2.1.0; en-US) AppleWebKit/536.2+ (KHTML, like Gecko) Version/7.2.1.0 "
    "Safari/536.2+"
)

GOOGLEBOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
GOOGLEBOT_PHONE = (
    f"Mozilla/5.0 (Linux; Android 6.0.1; Nexus 5X Build/MMB29P) {_WEBKIT} Chrome/124.0.6367.60 Mobile Safari/537.36 "
    "(compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
)
GOOGLE_INSPECTION = (
    f"Mozilla/5.0 (Linux; Android 6.0.1; Nexus 5X Build/MMB29P) {_WEBKIT} Chrome/124.0.6367.60 Mobile Safari/537.36 "
    "(compatible; Google-InspectionTool/1.0;)"
)
BINGBOT = (
    f"Mozilla/5.0 {_WEBKIT[:-1]}; compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm) "
    "Chrome/116.0.1938.76 Safari/537.36"
)
APPLEBOT = (
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_5) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/13.1.1 "
    "Safari/605.1.15 (Applebot/0.1; +http://www.apple.com/go/applebot)"
)
GPTBOT = "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko); compatible; GPTBot/1.2; +https://openai.com/gptbot"
UNKNOWN_BOT = "AcmeLinkBot/1.0 (+https://acme.example/bot)"
HEADLESS = f"Mozilla/5.0 (X11; Linux x86_64) {_WEBKIT} HeadlessChrome/124.0.6367.29 Safari/537.36"

FACEBOOK_SCRAPER = "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)"
FACEBOT = "Facebot/1.0"
TWITTERBOT = "Twitterbot/1.0"
SLACKBOT = "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)"
SLACK_ROBOT = "Slackbot 1.0 (+https://api.slack.com/robots)"
WHATSAPP = "WhatsApp/2.24.8.78 A"
WHATSAPP_BARE = "WhatsApp"
TELEGRAM = "TelegramBot (like TwitterBot)"
LINKEDIN = "LinkedInBot/1.0 (compatible; Mozilla/5.0; Apache-HttpClient +http://www.linkedin.com)"
DISCORD = "Mozilla/5.0 (compatible; Discordbot/2.0; +https://discordapp.com)"
PINTEREST = "Mozilla/5.0 (compatible; Pinterestbot/1.0; +http://www.pinterest.com/bot.html)"
SKYPE = "Mozilla/5.0 (Windows NT 6.1; WOW64) SkypeUriPreview Preview/0.5 skype-url-preview@microsoft.com"
IMESSAGE = (
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_11_1) AppleWebKit/601.2.4 (KHTML, like Gecko) Version/9.0.1 "
    "Safari/601.2.4 facebookexternalhit/1.1 Facebot Twitterbot/1.0"
)
REDDIT = "Mozilla/5.0 (compatible; redditbot/1.0; +http://www.reddit.com/feedback)"
KAKAOTALK_SCRAPER = "facebookexternalhit/1.1; kakaotalk-scrap/1.0; +https://devtalk.kakao.com/t/scrap/33984"
LINE_SCRAPER = "facebookexternalhit/1.1;line-poker/1.0"
VIBER_SCRAPER = "Viber/13.3.0.5"
SNAPCHAT_SCRAPER = "Snap URL Preview Service; bot; snapchat; https://developers.snap.com/robots"
MASTODON = "http.rb/5.1.1 (Mastodon/4.2.8; +https://mastodon.example/)"

CURL = "curl/8.7.1"
NODE = "node"
OKHTTP = "okhttp/4.12.0"
REQUESTS = "python-requests/2.31.0"
GO = "Go-http-client/2.0"
JAVA = "Java/17.0.10"
WGET = "Wget/1.21.4"
AXIOS = "axios/1.6.8"
POSTMAN = "PostmanRuntime/7.37.3"
DART = "Dart/3.3 (dart:io)"
IOS_APP = "Acme/412 CFNetwork/1494.0.7 Darwin/23.4.0"
ANDROID_APP = "Dalvik/2.1.0 (Linux; U; Android 14; Pixel 8 Build/UQ1A.240205.004)"
EMPTY = ""
