// Shows the description of the API with Redoc. Redoc makes its styles as it runs: the nonce lets the browser apply them.
const page = document.getElementById("page");
window.Redoc.init("openapi.json", { nonce: page.dataset.nonce }, page);
