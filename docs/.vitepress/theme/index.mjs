// The theme of VitePress with the fonts of the machine: nothing is fetched from elsewhere.
import theme from "vitepress/theme-without-fonts";
import "./style.css";

export default theme;
