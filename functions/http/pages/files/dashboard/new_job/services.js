// The sources of images and the licences, as the form offers them.

export const SERVICES = [
  { type: "openverse", name: "Openverse", text: "800 million openly licensed images" },
  { type: "wikimedia", name: "Wikimedia Commons", text: "Up to 10,000 a keyword" },
  { type: "flickr", name: "Flickr", text: "Up to 4,000 a keyword" },
  { type: "pexels", name: "Pexels", text: "Photos, up to 10,000 a keyword" },
  { type: "pixabay", name: "Pixabay", text: "Up to 500 a keyword" },
  { type: "brave", name: "Brave Search", text: "The whole web, licences unknown" },
];

export const LICENSES = ["cc0", "pdm", "by", "by-sa", "by-nc", "by-nd", "by-nc-sa", "by-nc-nd", "flickr", "pexels", "pixabay", "unknown"];
