async function unpack(id) {
  const packed = Uint8Array.from(atob(document.getElementById(id).textContent), c => c.charCodeAt(0));
  return new Response(new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"))).text();
}
// the style sheet's colours, of the scheme and at the width that the page is looked at in
function looks(layout) {
  const style = getComputedStyle(document.documentElement), colour = name => style.getPropertyValue(name).trim();
  const narrow = window.innerWidth < 700;
  return {
    paper_bgcolor: colour("--paper"), plot_bgcolor: colour("--paper"), "font.color": colour("--ink"),
    "hoverlabel.bgcolor": colour("--ground"), "hoverlabel.font.color": colour("--ink"),
    "title.font.size": narrow ? 14 : 17, showlegend: !narrow,
    annotations: (layout.annotations || []).map(one => ({
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
