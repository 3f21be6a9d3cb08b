// Shows the description of the API with Swagger UI, which can also make calls.
// Without validatorUrl, Swagger UI would ask a server of its makers to judge the description.
window.SwaggerUIBundle({
  url: "openapi.json",
  dom_id: "#page",
  deepLinking: true,
  validatorUrl: null,
});
