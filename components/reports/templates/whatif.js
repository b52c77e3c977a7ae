const slider = document.getElementById("policy"), requests = document.getElementById("requests");
const panels = [...document.querySelectorAll(".whatif .panel")];
function show() {
  panels.forEach((panel, place) => {
    panel.hidden = place !== Number(slider.value);
    document.getElementById(`whatif-${place}`)?.classList.toggle("on", !panel.hidden);
    const month = panel.dataset.usd * requests.value / 1000, single = panel.dataset.single * requests.value / 1000;
    const usd = value => "$" + Math.round(value).toLocaleString("en");
    panel.querySelector(".month").textContent = `${usd(month)} a month, ` +
      (month <= single ? `${usd(single - month)} less` : `${usd(month - single)} more`);
  });
  slider.setAttribute("aria-valuetext", panels[slider.value].dataset.policy);
}
slider.addEventListener("input", show);
requests.addEventListener("input", show);
show();
