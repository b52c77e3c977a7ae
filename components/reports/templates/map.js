async function unpack(id) {
  const packed = Uint8Array.from(atob(document.getElementById(id).textContent), c => c.charCodeAt(0));
  return new Response(new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"))).text();
}
// labels that don't lie on those of larger tasks, which come first
function apart(labels, narrow) {
  const map = document.getElementById("map"), placed = [];
  const pixels = (axis, size) => size / Math.abs(map.layout[axis].range[1] - map.layout[axis].range[0]);
  const across = pixels("xaxis", map.clientWidth), up = pixels("yaxis", map.clientHeight);
  return labels.filter(one => {
    const half = (narrow ? 3 : 3.5) * one.text.length + 4;
    const hidden = placed.some(([other, reach]) =>
      Math.abs(one.x - other.x) * across < half + reach && Math.abs(one.y - other.y) * up < 22);
    if (!hidden) placed.push([one, half]);
    return !hidden;
  });
}
// the style sheet's colours, of the scheme and at the width that the page is looked at in
function looks(layout) {
  const style = getComputedStyle(document.documentElement), colour = name => style.getPropertyValue(name).trim();
  const narrow = window.innerWidth < 700;
  return {
    paper_bgcolor: colour("--paper"), plot_bgcolor: colour("--paper"), "font.color": colour("--ink"),
    "hoverlabel.bgcolor": colour("--ground"), "hoverlabel.font.color": colour("--ink"),
    "title.font.size": narrow ? 14 : 17, "modebar.orientation": narrow ? "v" : "h", showlegend: !narrow,
    annotations: apart(layout.annotations || [], narrow).map(one => ({
      ...one, bgcolor: colour("--paper"), opacity: 0.9,
      font: {...one.font, color: colour("--ink"), size: narrow ? 10 : 12}
    }))
  };
}
(async () => {
  const library = document.createElement("script");
  library.textContent = await unpack("library");
  document.head.append(library);
  const figure = JSON.parse(await unpack("figure"));
  if (!document.createElement("canvas").getContext("webgl"))
    for (const trace of figure.data) trace.type = "scatter";
  document.getElementById("wait").remove();
  await Plotly.newPlot("map", figure.data, figure.layout, {responsive: true, displaylogo: false, scrollZoom: true});
  const adapt = () => Plotly.relayout("map", looks(figure.layout));
  await adapt();
  document.body.dataset.drawn = "yes";
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", adapt);
  matchMedia("(max-width: 699px)").addEventListener("change", adapt);
})().catch(error => { document.getElementById("wait").textContent = "The map can't be drawn: " + error.message; });
