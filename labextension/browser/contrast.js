// Text in drawings, which axe does not judge: what has less contrast than 4.5 to what is behind it.
() => {
  const parse = text => (text.match(/[\d.]+/g) || []).map(Number);
  const luminance = ([r, g, b]) => {
    const [x, y, z] = [r, g, b].map(value => {
      const share = value / 255;
      return share <= 0.03928 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const ratio = (a, b) => {
    const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y);
    return (high + 0.05) / (low + 0.05);
  };
  const background = node => {
    for (let at = node; at; at = at.parentElement) {
      const box = at.querySelector && at !== node ? at.querySelector(':scope > rect') : null;
      const colour = parse(box ? getComputedStyle(box).fill : getComputedStyle(at).backgroundColor);
      if (colour.length === 3 || colour[3] > 0.5) {
        return colour.slice(0, 3);
      }
    }
    return [255, 255, 255];
  };
  return [...document.querySelectorAll('.jp-Blocks svg text')]
    .filter(node => node.getBoundingClientRect().width > 0 && node.textContent.trim())
    .map(node => ({
      text: node.textContent,
      ratio: ratio(parse(getComputedStyle(node).fill).slice(0, 3), background(node))
    }))
    .filter(found => found.ratio < 4.5);
}
