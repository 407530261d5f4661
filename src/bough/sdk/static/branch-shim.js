// Sends the one request that branch.setAPIUrl() does not move, https://app.link/_r, to the server this file came from.
// Load it before the Branch Web SDK; data-host="https://go.example.com" names another server.
(function () {
  var tag = document.currentScript, host = tag.getAttribute("data-host") || new URL(tag.src).origin;
  var own = Object.getOwnPropertyDescriptor(HTMLScriptElement.prototype, "src");
  Object.defineProperty(HTMLScriptElement.prototype, "src", {
    configurable: true, enumerable: own.enumerable, get: own.get,
    set: function (url) {
      own.set.call(this, typeof url === "string" ? url.replace(/^https:\/\/app\.link(?=\/_r\?)/, host) : url);
    },
  });
})();
