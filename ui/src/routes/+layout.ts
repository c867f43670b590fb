// The screens are made in the browser; the server only hands out the page.
export const ssr = false;
