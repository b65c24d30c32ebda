// Both switches only set an attribute that the style reads; without scripts the page is Chinese and follows the system.
// The calendar lies beside a report that is served, not beside one that was sent.
(function () {
  var root = document.documentElement;
  var titles = { zh: document.title, en: document.body.dataset.titleEn };
  function speak(language) {
    root.dataset.language = language;
    root.lang = language === "en" ? "en" : "zh-CN";
    document.title = titles[language];
  }
  document.getElementById("language").addEventListener("click", function () {
    speak(root.dataset.language === "en" ? "zh" : "en");
  });
  document.getElementById("theme").addEventListener("click", function () {
    var dark = root.dataset.theme
      ? root.dataset.theme === "dark"
      : window.matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
  });
  if (location.hash === "#en") speak("en");
  var calendar = document.getElementById("calendar");
  calendar.hidden = !/^https?:$/.test(location.protocol);
  calendar.addEventListener("click", function () {
    location.href = "../index.html";
  });
  document.getElementById("switches").hidden = false;
})();
