// Shows the description of the interface in the viewer, in place of the plain table.
"use strict";
(() => {
  const plain = document.getElementById("plain");
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const dress = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
  dress();
  dark.addEventListener("change", dress);
  // The page has a main part of its own; the viewer draws another one whenever it likes.
  const viewer = document.getElementById("viewer");
  const only = () => {
    for(const inner of viewer.querySelectorAll("main:not([role])")) inner.setAttribute("role", "group");
  };
  new MutationObserver(only).observe(viewer, {childList: true, subtree: true});
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
    },
  });
})();
