/** Stands in every answer of the API; it changes when a field changes its meaning or goes. */
export const API_VERSION = 1;
