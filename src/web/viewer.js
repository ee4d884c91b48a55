// Shows the description of the interface in the viewer, in place of the plain table.
"use strict";
(() => {
  const plain = document.getElementById("plain");
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const dress = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
  dress();
  dark.addEventListener("change", dress);
  window.SwaggerUIBundle({
    url: "/openapi.json",
    dom_id: "#viewer",
    deepLinking: true,
    docExpansion: "none",
    filter: true,
    defaultModelsExpandDepth: 0,
    defaultModelExpandDepth: 3,
    tryItOutEnabled: false,
    // Nobody else is asked whether the description is good.
    validatorUrl: null,
    onComplete: () => {
      plain.open = false;
      // The page has its own.
      const inner = document.querySelector("#viewer main");
      if(inner) inner.setAttribute("role", "group");
    },
  });
})();
