"""The script of a page: it saves a picture as SVG or PNG and its numbers as CSV, and reads a mark out when asked.

It is part of the page and loads nothing; the policy of the page allows this script alone, by its digest.
"""

from __future__ import annotations

import base64
import hashlib
from typing import Final

SCRIPT: Final = r"""
"use strict";
(() => {
  const KEPT = ["fill", "fill-opacity", "stroke", "stroke-width", "stroke-opacity", "stroke-dasharray",
    "stroke-linecap", "stroke-linejoin", "font-size", "font-family", "font-weight", "text-anchor"];
  const SVG = "http://www.w3.org/2000/svg", SCALE = 3, ROW = 18, EDGE = 8;

  const make = (name, attributes, text) => {
    const element = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    if (text !== undefined) element.textContent = text;
    return element;
  };

  // A copy whose looks stand in itself, so that other programs show it as the page does.
  const copyOf = (svg) => {
    const copy = svg.cloneNode(true);
    const from = [svg, ...svg.querySelectorAll("*")], to = [copy, ...copy.querySelectorAll("*")];
    from.forEach((element, j) => {
      const style = getComputedStyle(element);
      for (const key of KEPT) to[j].setAttribute(key, style.getPropertyValue(key));
      to[j].removeAttribute("class");
      to[j].removeAttribute("style");
    });
    return copy;
  };

  const sizeOf = (svg) => svg.viewBox.baseVal;

  const pictureOf = (figure) => {
    const charts = [...figure.querySelectorAll("svg.chart")], keys = [...figure.querySelectorAll(".meaning")];
    const width = Math.max(...charts.map((svg) => sizeOf(svg).width)) + 2 * EDGE;
    const style = getComputedStyle(document.body);
    const words = {fill: style.color, "font-family": style.fontFamily, "font-size": 12};
    const whole = make("svg", {xmlns: SVG});
    let top = EDGE;
    const caption = figure.querySelector("figcaption");
    if (caption) {
      whole.append(make("text", {...words, x: EDGE, y: top + 10, "font-weight": 600}, caption.textContent));
      top += ROW;
    }
    for (const svg of charts) {
      const copy = copyOf(svg), size = sizeOf(svg);
      for (const [key, value] of Object.entries({x: EDGE, y: top, width: size.width, height: size.height})) {
        copy.setAttribute(key, value);
      }
      whole.append(copy);
      top += size.height + 6;
    }
    for (const key of keys) {
      const swatch = key.querySelector("svg"), block = key.querySelector(".key");
      if (swatch) {
        const copy = copyOf(swatch);
        for (const [name, value] of Object.entries({x: EDGE, y: top, width: 26, height: 10})) {
          copy.setAttribute(name, value);
        }
        whole.append(copy);
      } else if (block) {
        const fill = getComputedStyle(block).backgroundColor;
        whole.append(make("rect", {x: EDGE, y: top, width: 20, height: 10, fill}));
      }
      whole.append(make("text", {...words, x: EDGE + 34, y: top + 10}, key.textContent));
      top += ROW;
    }
    for (const [key, value] of Object.entries({width, height: top, viewBox: `0 0 ${width} ${top}`})) {
      whole.setAttribute(key, value);
    }
    whole.prepend(make("rect", {width: "100%", height: "100%", fill: style.backgroundColor}));
    return {text: new XMLSerializer().serializeToString(whole), width, height: top};
  };

  const numbersOf = (figure) => [...figure.querySelectorAll("svg[data-numbers]")]
    .map((svg) => svg.dataset.numbers).join("\n");

  const nameOf = (figure) => {
    const caption = figure.querySelector("figcaption"), heading = figure.closest("section")?.querySelector("h2");
    const words = [heading, caption].filter(Boolean).map((element) => element.textContent).join(" ");
    return (words || document.title).toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-|-$/g, "").slice(0, 100);
  };

  const save = (name, blob) => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(blob);
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  };

  const savePng = (figure) => {
    const {text, width, height} = pictureOf(figure), image = new Image();
    image.onload = () => {
      const canvas = document.createElement("canvas");
      canvas.width = width * SCALE;
      canvas.height = height * SCALE;
      canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
      canvas.toBlob((blob) => save(`${nameOf(figure)}.png`, blob), "image/png");
      URL.revokeObjectURL(image.src);
    };
    image.src = URL.createObjectURL(new Blob([text], {type: "image/svg+xml"}));
  };

  const WAYS = {
    SVG: (figure) => save(`${nameOf(figure)}.svg`, new Blob([pictureOf(figure).text], {type: "image/svg+xml"})),
    PNG: savePng,
    CSV: (figure) => save(`${nameOf(figure)}.csv`, new Blob([numbersOf(figure)], {type: "text/csv"})),
  };

  for (const figure of document.querySelectorAll("figure")) {
    if (!figure.querySelector("svg.chart")) continue;
    const row = document.createElement("p"), said = document.createElement("output");
    row.className = "tools";
    row.append("Save");
    for (const [name, way] of Object.entries(WAYS)) {
      if (name === "CSV" && !numbersOf(figure)) continue;
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = name;
      button.title = name === "CSV" ? "Save the numbers of this picture" : "Save this picture";
      button.addEventListener("click", () => way(figure));
      row.append(button);
    }
    row.append(said);
    figure.append(row);
    const tell = (event) => {
      const mark = event.target.closest("svg.chart *"), title = mark && mark.querySelector(":scope > title");
      said.textContent = title ? title.textContent : "";
    };
    figure.addEventListener("pointerover", tell);
    figure.addEventListener("click", (event) => { if (event.target.closest("svg.chart")) tell(event); });
  }
})();
"""
DIGEST: Final = f"sha256-{base64.b64encode(hashlib.sha256(SCRIPT.encode()).digest()).decode()}"
